"""Why a machine went down: evidence by source, bound to boots, judged by rules that are data."""
