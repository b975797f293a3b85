//! Enums whose values are words of the API, of metric labels and of logs. Each list of words is declared once.

/// Declares such an enum, with the lists of its values and of their words.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$of])* $value,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];
            /// The words of all values, in the order of `ALL`.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The value's word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }
        }
    };
}
