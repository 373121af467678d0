"""A step in another language that only follows docs/asyncapi.json: reads observations.raw.v1, fills gaps linearly,
writes observations.regular.v1.

    pip install kafka-python==3.0.12        (pure Python; nothing to compile)
    python examples/imputer.py --channels wind_speed_ms,power_kw --interval PT10M

Runs instead of `pipelines/steps/imputer`, in its consumer group. Keeps no state: it commits records only when it no
longer needs them. After a restart it reads the others again and sends the same messages under the same ids.
"""
import argparse
import json
import os
import re
import signal
from datetime import datetime, timezone

from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata

RAW, REGULAR = 'observations.raw.v1', 'observations.regular.v1'


def milliseconds(text):
    return round(datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp() * 1000)


def rfc3339(ms):
    return datetime.fromtimestamp(ms / 1000, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.') + f'{ms % 1000:03d}Z'


def minutes(text):
    """The milliseconds of an ISO 8601 duration in minutes, such as PT10M."""
    return int(re.fullmatch(r'PT(\d+)M', text)[1]) * 60_000


def event(kind, ident, arrived, data):
    headers = {
        'ce_specversion': '1.0',
        'ce_type': kind,
        'ce_source': '/imputer-in-python',
        'ce_id': ident,
        **arrived,
        'content-type': 'application/json',
    }
    return REGULAR, data['series'], data, headers


class Series:
    """One series. `open` is the newest instant of the grid: a later one closes it. `last` is the one before."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.open = self.last = None  # (instant, {channel: value}, offset, headers on arrival)

    def take(self, time, values, offset, arrived):
        """Returns the records to send. Raises ValueError for an observation that comes too late."""
        step = self.options.interval
        instant = (time + step // 2) // step * step
        present = {channel: value for channel, value in values.items() if value is not None}
        if self.open is not None and instant < self.open[0]:
            raise ValueError(f'{rfc3339(time)} is before {rfc3339(self.open[0])}, which has come already.')
        if self.open is not None and instant == self.open[0]:
            self.open[1].update(present)
            return []
        closed, self.last, self.open = self.last, self.open, (instant, present, offset, arrived)
        return [] if self.last is None else self.close(closed, self.last, arrived)

    def close(self, last, now, arrived):
        step = self.options.interval
        missing = [] if last is None else range(last[0] + step, now[0], step)
        if len(missing) > self.options.max_gap:
            gap = {'series': self.name, 'from': rfc3339(missing[0]), 'to': rfc3339(missing[-1]), 'interval': step}
            gap_event = event('gap.v1', f'{self.name}/{gap["from"]}/gap', arrived, gap)
            return [gap_event, self.regular(now[0], now[1], [], now[3])]
        channels = self.options.channels
        filled = [self.regular(instant, self.between(last, now, instant), channels, now[3]) for instant in missing]
        return [*filled, self.regular(now[0], now[1], [], now[3])]

    def between(self, last, now, instant):
        share = (instant - last[0]) / (now[0] - last[0])
        before, after = last[1], now[1]
        present = [channel for channel in self.options.channels if channel in before and channel in after]
        return {channel: before[channel] + share * (after[channel] - before[channel]) for channel in present}

    def regular(self, instant, values, imputed, arrived):
        time = rfc3339(instant)
        observation = {
            'time': time,
            'values': {channel: values.get(channel) for channel in self.options.channels},
            'imputed': [channel for channel in imputed if channel in values],
        }
        data = {'series': self.name, 'interval': self.options.interval, 'observations': [observation]}
        return event('observation.regular.v1', f'{self.name}/{time}', arrived, data)


def process(record, state, options):
    """Returns the records that one record leads to, as (topic, key, data or bytes, headers)."""
    headers = {name: value.decode() for name, value in record.headers}
    try:
        data = json.loads(record.value)
        series = state.setdefault(data['series'], Series(data['series'], options))
        # Pass on the time of arrival, and the trace, if there is one.
        trace = {'ce_traceparent': headers['ce_traceparent']} if 'ce_traceparent' in headers else {}
        arrived = {'ce_time': headers['ce_time'], **trace}
        return series.take(milliseconds(data['time']), data['values'], record.offset, arrived)
    except (ValueError, KeyError, TypeError) as error:
        reason = 'late' if type(error) is ValueError and 'has come already' in str(error) else 'invalid-request'
        now = rfc3339(round(datetime.now().timestamp() * 1000))
        dead = {
            'dead_reason': reason,
            'dead_detail': str(error),
            'dead_step': 'imputer',
            'dead_topic': record.topic,
            'dead_partition': str(record.partition),
            'dead_offset': str(record.offset),
            'dead_at': now,
        }
        return [(f'{record.topic}.dead', (record.key or b'').decode(), record.value, {**headers, **dead})]


def committable(following, state):
    """The offset up to which a partition's series need no record again."""
    return min([following, *((series.last or series.open)[2] for series in state.values())])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', 1)[0])
    parser.add_argument('--channels', required=True, type=lambda text: text.split(','), help="the model's channels")
    parser.add_argument('--interval', default=600_000, type=minutes, help='sampling interval, such as PT10M')
    parser.add_argument('--max-gap', default=3, type=int, help='maximum number of consecutive instants to fill')
    options = parser.parse_args()
    brokers = os.environ.get('KAFKA_BROKERS', '127.0.0.1:9092').split(',')
    producer = KafkaProducer(bootstrap_servers=brokers, acks='all', enable_idempotence=True)
    consumer = KafkaConsumer(
        bootstrap_servers=brokers,
        group_id='imputer',
        enable_auto_commit=False,
        auto_offset_reset='earliest',
        session_timeout_ms=10_000,
    )
    state, following, running = {}, {}, [True]
    consumer.subscribe([RAW])
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    while running:
        batches = consumer.poll(timeout_ms=500)
        for partition, records in batches.items():
            if following.get(partition) != records[0].offset:
                state[partition] = {}  # A new partition, or another process has had it meanwhile.
            following[partition] = records[-1].offset + 1
            for record in records:
                for topic, key, value, headers in process(record, state[partition], options):
                    body = value if isinstance(value, bytes) else json.dumps(value).encode()
                    encoded = [(name, text.encode()) for name, text in headers.items()]
                    producer.send(topic, key=key.encode(), value=body, headers=encoded)
        producer.flush()
        # Do not commit the records that a series still needs: they are read again after a restart. A silent series
        # therefore keeps its partition from advancing.
        done = {partition: committable(following[partition], state[partition]) for partition in batches}
        if done:
            consumer.commit({partition: OffsetAndMetadata(offset, '', -1) for partition, offset in done.items()})
    consumer.close()
    producer.close()


if __name__ == '__main__':
    main()
