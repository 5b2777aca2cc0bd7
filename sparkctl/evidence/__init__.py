"""The file format of evidence, `spark-evidence/1`: write, read, sign, verify, hand on a part. No network, no clock."""
