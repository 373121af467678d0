"""check-dags.py FOLDER: prints the DAGs of a folder as JSON.

Imports each file as Airflow does, without a database.

Ends with status 1 where a file cannot be imported, tasks form a circle, or there is no DAG at all.
"""

import json
import sys

from airflow import __version__
from airflow.dag_processing.dagbag import DagBag


def described(dag):
    tasks = dag.topological_sort() if hasattr(dag, "topological_sort") else dag.tasks
    return {
        "schedule": str(getattr(dag, "schedule", None)),
        "catchup": dag.catchup,
        "maxActiveRuns": dag.max_active_runs,
        "tasks": [
            {
                "id": task.task_id,
                "after": sorted(task.upstream_task_ids),
                "command": getattr(task, "bash_command", None),
                "retries": task.retries,
                "limitMinutes": task.execution_timeout.total_seconds() / 60 if task.execution_timeout else None,
            }
            for task in tasks
        ],
    }


bag = DagBag(sys.argv[1])
for file, error in bag.import_errors.items():
    print(f"{file}: {error.strip().splitlines()[-1]}", file=sys.stderr)
print(json.dumps({"version": __version__, "dags": {name: described(dag) for name, dag in bag.dags.items()}}))
sys.exit(bool(bag.import_errors) or not bag.dags)
