"""Where nodes come from: fleet files, Ansible inventories and CSV, and the language that selects among them."""
