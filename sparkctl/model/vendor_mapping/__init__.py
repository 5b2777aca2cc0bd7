"""From the fields of the vendor's tools to fields of our facets; `catalogue.py` names all tools."""
