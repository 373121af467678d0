# Two images of one build:
#   docker build --target service -t ae-anomaly-detection:0.1.0 .            the service, and every step of the stream
#   docker build --target training -t ae-anomaly-detection-training:0.1.0 .  the weekly training, with DVC
# The command says which program of the first one runs.
# Both run as nobody in particular, and need nothing to write on but what their settings name (TASKS_DIR, /tmp).
ARG NODE=20.20.2-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /app
# For `npm run setup:native`: a compiler of the addon, and pip for the wheel that has libtensorflow.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates g++ make python3 python3-pip \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm run setup:native
# What only tests and measurements need stays here.
RUN npm prune --omit=dev --no-audit --no-fund \
  && rm -rf dist/bench dist/scripts dist/kubernetes .cache \
  && find dist -type d -name test -prune -exec rm -rf {} + \
  && find dist -name '*.map' -delete

FROM node:${NODE} AS service
LABEL org.opencontainers.image.title="ae-anomaly-detection" \
  org.opencontainers.image.description="Time-series anomaly detection by autoencoders: POST /compute, and the steps of its stream" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/examples examples
# What a first model is trained by (dist/model-creation/first-model.js).
COPY --from=build /app/model-creation/params.yaml model-creation/params.yaml
COPY --from=build /app/docs/ERRORS.md docs/ERRORS.md
COPY --from=build /app/package.json /app/LICENSE ./
# The journal of engine tasks, where no volume is mounted.
ENV TASKS_DIR=/var/lib/ae-anomaly-detection/tasks
RUN install --directory --owner=1000 --group=1000 /var/lib/ae-anomaly-detection
USER 1000:1000
EXPOSE 8282
# Of the service; a step has its port in HEALTH_PORT.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT ?? process.env.SERVICE_PORT ?? 8282}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/model-serving/main.js"]

FROM node:${NODE} AS training
LABEL org.opencontainers.image.title="ae-anomaly-detection-training" \
  org.opencontainers.image.description="The training pipeline of ae-anomaly-detection with DVC: npm run retrain" \
  org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /app ./
RUN npm run setup:dvc
ENV PATH=/app/.cache/dvc/bin:$PATH
USER 1000:1000
CMD ["node", "--import", "tsx", "pipelines/training/main.ts", "run", "--print"]
