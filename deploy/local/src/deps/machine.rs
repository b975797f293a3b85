//! The machines for which the launcher's packages are pinned.

use anyhow::{Result, bail};

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// Linux on Intel's and AMD's 64-bit processors.
    X86_64,
    /// Linux on Arm's 64-bit processors: Graviton, and containers on Apple silicon.
    Aarch64,
}

impl Machine {
    /// The machine that this program runs on.
    pub fn here() -> Result<Self> {
        Self::named(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The machine to which [`std::env::consts`] gives these names.
    fn named(system: &str, architecture: &str) -> Result<Self> {
        match (system, architecture) {
            ("linux", "x86_64") => Ok(Self::X86_64),
            ("linux", "aarch64") => Ok(Self::Aarch64),
            _ => bail!(
                "PostgreSQL, onnxruntime and pdfium are pinned for Linux on x86_64 and aarch64; this machine has {system} on \
                 {architecture}"
            ),
        }
    }

    /// The machine's platform tags of wheels: for glibc 2.28 or later, and for glibc 2.17 or later.
    pub fn wheel_platforms(self) -> [&'static str; 2] {
        match self {
            Self::X86_64 => ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64"],
            Self::Aarch64 => ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64"],
        }
    }

    /// Debian's folder of the machine's libraries, below `/usr/lib`.
    pub fn library_folder(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux-gnu",
            Self::Aarch64 => "aarch64-linux-gnu",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_architectures_are_known_and_differ_in_all_that_is_chosen_by_them() {
        let [intel, arm] = ["x86_64", "aarch64"].map(|name| Machine::named("linux", name).unwrap());
        assert_eq!((intel, arm), (Machine::X86_64, Machine::Aarch64));
        for (machine, name) in [(intel, "x86_64"), (arm, "aarch64")] {
            assert_eq!(
                machine.wheel_platforms(),
                ["manylinux_2_28", "manylinux_2_17"].map(|tag| format!("{tag}_{name}"))
            );
            assert_eq!(machine.library_folder(), format!("{name}-linux-gnu"));
        }
    }

    #[test]
    fn an_unknown_machine_is_refused_by_its_name() {
        for (system, architecture) in [("linux", "riscv64"), ("linux", "arm"), ("macos", "aarch64")] {
            let message = Machine::named(system, architecture).unwrap_err().to_string();
            assert!(
                message.ends_with(&format!("this machine has {system} on {architecture}")),
                "{message}"
            );
        }
    }

    #[test]
    fn the_machine_that_tests_run_on_is_known() {
        assert!(Machine::here().is_ok());
    }
}
