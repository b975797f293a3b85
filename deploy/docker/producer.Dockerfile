# The producer. From the top of the checkout: docker build -f deploy/docker/producer.Dockerfile -t docket-producer .
# Needs BuildKit. Bases are arguments, so that a mirror's or a company's own can be used.
ARG RUST_BASE=docker.io/library/rust:1.95-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

# The same lines as in worker.Dockerfile, so that both images share one build. Dependencies stay in the cache mounts.
FROM ${RUST_BASE} AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,id=docket-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=docket-target,target=/src/target,sharing=locked \
    cargo build --release --locked --package docket-producer --package docket-worker \
    && mkdir -p /out/models \
    && cp target/release/docket-producer target/release/docket-worker /out/

FROM ${BASE}
COPY LICENSE /usr/share/doc/docket/LICENSE
COPY --from=build /out/docket-producer /usr/local/bin/docket-producer
# Nothing is written but temporary files of uploads, to /tmp.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/usr/local/bin/docket-producer", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/docket-producer"]
CMD ["serve"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="docket-producer" \
      org.opencontainers.image.description="Docket's HTTP service, dispatcher and operator commands" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
