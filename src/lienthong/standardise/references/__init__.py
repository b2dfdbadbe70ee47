"""Which entries of a registry a text names (đối chiếu tên cơ quan, cơ sở dữ liệu)."""
