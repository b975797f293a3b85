# The worker, with onnxruntime, pdfium, Tesseract and the default model. From the top of the checkout:
# docker build -f deploy/docker/worker.Dockerfile -t docket-worker .
# Needs BuildKit. Bases are arguments, so that a mirror's or a company's own can be used.
ARG RUST_BASE=docker.io/library/rust:1.95-bookworm
ARG PYTHON_BASE=docker.io/library/python:3.13-slim-bookworm
ARG DEBIAN_BASE=docker.io/library/debian:bookworm-slim
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

# The same lines as in producer.Dockerfile, so that both images share one build. Dependencies stay in the cache mounts.
FROM ${RUST_BASE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,id=docket-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=docket-target,target=/src/target,sharing=locked \
    cargo build --release --locked --package docket-producer --package docket-worker \
    && mkdir -p /out/models \
    && cp target/release/docket-producer target/release/docket-worker /out/

# The library that the worker loads, out of its wheel: the same version and hashes as in deploy/local/src/deps/mod.rs.
FROM ${PYTHON_BASE} AS onnxruntime
ARG TARGETARCH
WORKDIR /wheel
RUN case "$TARGETARCH" in \
        amd64) machine=x86_64 sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f ;; \
        arm64) machine=aarch64 sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 ;; \
        *) echo "onnxruntime is pinned for amd64 and arm64, not for '$TARGETARCH'" >&2; exit 1 ;; \
    esac \
    && echo "onnxruntime==1.31.1 --hash=sha256:$sha256" > pins.txt \
    && python3 -m pip download --no-cache-dir --no-deps --require-hashes --only-binary=:all: --requirement pins.txt \
       --python-version 3.11 --implementation cp --platform "manylinux_2_28_$machine" \
    && python3 -m zipfile -e ./*.whl . \
    && mv onnxruntime/capi/libonnxruntime.so.1.31.1 libonnxruntime.so

# The library that reads PDFs, out of its wheel, likewise, with the licences of all that is in it.
FROM ${PYTHON_BASE} AS pdfium
ARG TARGETARCH
WORKDIR /wheel
RUN case "$TARGETARCH" in \
        amd64) machine=x86_64 sha256=dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37 ;; \
        arm64) machine=aarch64 sha256=dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc ;; \
        *) echo "pdfium is pinned for amd64 and arm64, not for '$TARGETARCH'" >&2; exit 1 ;; \
    esac \
    && echo "pypdfium2==5.15.2 --hash=sha256:$sha256" > pins.txt \
    && python3 -m pip download --no-cache-dir --no-deps --require-hashes --only-binary=:all: --requirement pins.txt \
       --python-version 3.11 --implementation cp --platform "manylinux_2_17_$machine" \
    && python3 -m zipfile -e ./*.whl . \
    && mv pypdfium2_raw/libpdfium.so libpdfium.so \
    && mv pypdfium2-5.15.2.dist-info/licenses licenses

# The program that reads scans, with the libraries that the base lacks, the languages of OCR_LANGUAGES, and all their licences.
FROM ${DEBIAN_BASE} AS tesseract
ARG OCR_LANGUAGES="eng"
WORKDIR /out
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN apt-get update \
    && packages=(tesseract-ocr) \
    && for language in $OCR_LANGUAGES; do packages+=("tesseract-ocr-${language//_/-}"); done \
    && apt-get install --yes --no-install-recommends "${packages[@]}" \
    && libraries="usr/lib/$(uname -m)-linux-gnu" \
    && mkdir -p usr/bin usr/share "$libraries" usr/share/doc/tesseract \
    && cp /usr/bin/tesseract usr/bin/ \
    && cp -r /usr/share/tesseract-ocr usr/share/ \
    && ldd /usr/bin/tesseract | awk '$3 ~ "^/" && $1 !~ "^(libc|libm|libdl|libpthread|librt|libstdc\\+\\+|libgcc_s)\\." {print $3}' \
       | xargs cp --dereference --target-directory="$libraries" \
    && for file in /usr/share/doc/*/copyright; do cp "$file" "usr/share/doc/tesseract/$(basename "$(dirname "$file")")"; done \
    && rm -rf /var/lib/apt/lists/*

FROM ${BASE}
COPY LICENSE /usr/share/doc/docket/LICENSE
COPY worker/understand/data/NOTICE /usr/share/doc/docket/NOTICE
COPY --from=onnxruntime /wheel/onnxruntime/LICENSE /wheel/onnxruntime/ThirdPartyNotices.txt /usr/share/doc/onnxruntime/
COPY --from=onnxruntime /wheel/libonnxruntime.so /usr/local/lib/libonnxruntime.so
COPY --from=pdfium /wheel/licenses /usr/share/doc/pdfium/
COPY --from=pdfium /wheel/libpdfium.so /usr/local/lib/libpdfium.so
COPY --from=tesseract /out /
COPY deploy/models/ner-legal /usr/share/docket/models/ner-legal
# What is written: models, which outlive a container best in a volume, and temporary files of commands, to /tmp.
COPY --from=build --chown=10001:10001 /out/models /var/cache/docket/models
COPY --from=build /out/docket-worker /usr/local/bin/docket-worker
ENV DOCKET_ONNXRUNTIME_LIB=/usr/local/lib/libonnxruntime.so
ENV DOCKET_PDFIUM_LIB=/usr/local/lib/libpdfium.so
USER 10001:10001
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/docket-worker", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/docket-worker"]
CMD ["run"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="docket-worker" \
      org.opencontainers.image.description="Docket's worker: runs ONNX entity models over documents" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
