"""The notebook of examples/ runs from its first cell to its last."""

import nbclient
import nbformat


def test_the_tour_runs(root, package, common_server, monkeypatch):
    monkeypatch.setenv("MOEPROBE_SERVER", common_server.address)
    monkeypatch.setenv("PYTHONPATH", str(package))
    notebook = nbformat.read(root / "examples/tour.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    resources = {"metadata": {"path": str(root / "examples")}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    *_, last = (cell for cell in notebook.cells if cell.cell_type == "code")
    files = ["alignment.svg", "report.html", "result", "result.nc"]
    assert last.outputs[-1].data["text/plain"] == repr(files)
    drawn = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert len(drawn) == 4
