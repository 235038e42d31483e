FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /venv/bin/pip install --no-cache-dir "hatchling>=1.33"
COPY . .
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --create-home --home-dir /data plainbill
COPY --from=build /venv /venv
USER plainbill
WORKDIR /data
ENV PATH=/venv/bin:$PATH PLAINBILL_HOST=0.0.0.0 PLAINBILL_PORT=8000
EXPOSE 8000
CMD ["plainbill", "serve"]
