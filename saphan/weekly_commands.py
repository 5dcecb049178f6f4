"""``saphan forecast weekly``: the coming eight weeks, from released weekly figures on one's own machine."""

from forecasting.weekly.report import weekly_report
from saphan.output import AsJson, told_errors
from saphan.report_output import AsCsv, ReleaseFiles, read_bodies, show_report


def weekly_command(files: ReleaseFiles, *, as_json: AsJson = False, as_csv: AsCsv = None) -> None:
    """Cases of the coming eight weeks by police region and group, with intervals."""
    with told_errors(as_json=as_json):
        show_report(weekly_report(read_bodies(files)), as_json=as_json, as_csv=as_csv)
