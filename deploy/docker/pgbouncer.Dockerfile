# PgBouncer as the distribution packages it, so that its security updates come with a rebuild; configured by compose.yaml.
# Debian 12, not 13: there the resolver (c-ares 1.34) keeps an address for its time to live, whatever dns_max_ttl says. Docker gives
# names 600 s, so after the databases changed addresses PgBouncer asked the wrong servers for 10 min. c-ares 1.18 keeps none.
ARG BASE=docker.io/library/debian:12-slim
FROM ${BASE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends pgbouncer \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
EXPOSE 6432
ENTRYPOINT ["/usr/sbin/pgbouncer"]
CMD ["/etc/pgbouncer/pgbouncer.ini"]
