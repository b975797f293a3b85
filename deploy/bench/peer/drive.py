"""What the benchmark asks of the pipeline. Texts come as a JSON list of strings in a file; answers are JSON on stdout.

    drive.py feed TEXTS     texts into S3, fresh rows, a queue full of tasks; answers the documents' number
    drive.py shapes TEXTS   windows, tokens and padding of the variant, without running the model
    drive.py entities TEXTS for each text its entities, by the variant's own extractor

Settings are those of the worker: see peer/config.py.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid5

CLIENTS = 8
NAMESPACE = UUID("2d0f4c1e-7a7b-4a55-9d1b-3c0b9a6f5e10")


def feed(texts: list[str]) -> int:
    import boto3
    import psycopg
    from kombu import Connection

    from peer.broker import TASK, app
    from peer.config import services
    from peer.objects import client_config
    from peer.sharding import shard_of

    settings = services()
    documents = [
        (str(uuid5(NAMESPACE, str(i))), f"client-{i % CLIENTS}", f"corpus/{i}", text.encode())
        for i, text in enumerate(texts)
    ]
    s3 = boto3.client(
        "s3",
        endpoint_url=settings.s3_url,
        region_name="us-east-1",
        aws_access_key_id=settings.s3_key,
        aws_secret_access_key=settings.s3_secret,
        config=client_config(connections=4),
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda d: s3.put_object(Bucket=settings.s3_bucket, Key=d[2], Body=d[3]), documents))
    for number, url in enumerate(settings.shards):
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("TRUNCATE documents, entities")
            cursor.executemany(
                "INSERT INTO documents (id, client_id, object_key, size_bytes) VALUES (%s, %s, %s, %s)",
                [(i, c, k, len(b)) for i, c, k, b in documents if shard_of(c, len(settings.shards)) == number],
            )
    with Connection(settings.amqp_url) as broker, broker.channel() as channel:
        for queue in app.amqp.queues.values():
            queue(channel).declare()
            queue(channel).purge()
    with app.producer_or_acquire() as producer:
        for i, client, key, _ in documents:
            app.send_task(TASK, (i, client, key), task_id=i, producer=producer)
    return len(documents)


def shapes(texts: list[str]) -> dict[str, int]:
    from peer.batching import plan
    from peer.config import model_settings
    from peer.windows import Windower

    settings = model_settings()
    windower = Windower(settings.folder / "tokenizer.json", settings.max_tokens, settings.overlap)
    windows = tokens = padded = 0
    for text in texts:
        lengths = [len(window) for window in windower.split(text)]
        windows += len(lengths)
        tokens += sum(lengths)
        padded += sum(len(batch.members) * batch.width for batch in plan(lengths, settings))
    return {"windows": windows, "tokens": tokens, "padding_tokens": padded - tokens}


def entities(texts: list[str]) -> list[list[dict[str, object]]]:
    from peer.config import model_settings
    from peer.extractor import Extractor

    extractor = Extractor(model_settings())
    return [
        [{"label": e.label, "start": e.start, "end": e.end} for e in extractor.extract(text).entities]
        for text in texts
    ]


if __name__ == "__main__":
    action = {"feed": feed, "shapes": shapes, "entities": entities}[sys.argv[1]]
    print(json.dumps(action(json.loads(Path(sys.argv[2]).read_text()))))
