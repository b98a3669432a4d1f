from coverage_report.measured import work

print(work("2"))
