"""Results where experiments are tracked: MLflow and TensorBoard.

    from moeprobe.tracking import to_mlflow, to_tensorboard

    to_tensorboard(client.job(17), "runs")
    to_mlflow(result, "moeprobe", tracking_uri="sqlite:///mlflow.db")

Means of an analysis are logged over layers; means and curves of a controlled
experiment over steps, a run for each variant and seed. A job that still runs is
followed to its end, and logged as its layers come in. `points_of` says what is
logged. Needs the extra `mlflow` or `tensorboard`: pip install './python[mlflow]'.
"""

from moeprobe.tracking.mlflow_log import to_mlflow
from moeprobe.tracking.points import Point, points_of
from moeprobe.tracking.tensorboard_log import to_tensorboard

__all__ = ["Point", "points_of", "to_mlflow", "to_tensorboard"]
