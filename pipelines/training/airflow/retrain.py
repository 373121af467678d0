"""The retraining as a DAG for Airflow 3: four tasks that run `npm run retrain` in the project's folder, once a week.

The tasks of a run hand results on in files, so they must find the same folder: use one worker, or a shared volume.
The worker reads from its environment:
- RETRAIN_HOME: the folder of the project
- RETRAIN_SOURCE: where data come from, such as `--from influx -- --bucket farm --start … --stop …`
- RETRAIN_PUBLISH: further flags of `publish`, such as `--push`
- MODEL_REGISTRY and AWS_*: as for the program itself
RETRAIN_SCHEDULE is read where the DAG is parsed.
"""

import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

# Step, what else is on its command line, how long it may take. The program ends its own children earlier.
STEPS = (
    ("pull", "$RETRAIN_SOURCE", timedelta(hours=1, minutes=30)),
    ("train", "", timedelta(hours=7)),
    ("evaluate", "", timedelta(hours=1, minutes=30)),
    ("publish", "$RETRAIN_PUBLISH", timedelta(hours=1, minutes=30)),
)

with DAG(
    dag_id="retrain",
    description="Fresh data, training, comparison with the live model, publication",
    schedule=os.environ.get("RETRAIN_SCHEDULE", "30 3 * * 1"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["models"],
    doc_md=__doc__,
) as dag:
    previous = None
    for step, flags, limit in STEPS:
        task = BashOperator(
            task_id=step,
            # exec: a task that is stopped stops the program, not a shell around it.
            bash_command=(
                'cd "${RETRAIN_HOME:?is the folder of the project}" && '
                f'exec node --import tsx pipelines/training/main.ts {step} {flags}'.rstrip()
            ),
            execution_timeout=limit,
        )
        if previous is not None:
            previous >> task
        previous = task
