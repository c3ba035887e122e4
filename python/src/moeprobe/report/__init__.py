"""Reports: one page that says what jobs found, and opens anywhere.

    from moeprobe.report import write_report

    write_report([result], "report.html")

Needs the extra `report`: pip install './python[report]'.
"""

from moeprobe.report.page import make_page, write_report

__all__ = ["make_page", "write_report"]
