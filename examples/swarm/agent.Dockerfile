# The image of `zookit agent`. Its context is a folder that zookit is installed in:
#   npm install --prefix agent zookit
#   docker build --tag zookit-agent --file examples/swarm/agent.Dockerfile agent
ARG BASE=node:22-slim
FROM ${BASE}
COPY node_modules /opt/zookit/node_modules
# As process 1 it gets the signals itself.
ENTRYPOINT ["node", "/opt/zookit/node_modules/zookit/dist/cli/main.js"]
CMD ["agent"]
