"""One module for each sub-command; `spark_diagctl` imports the one that it runs."""
