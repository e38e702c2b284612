"""Foreign formats, one a file: an importer and an exporter that proves itself by reading back."""
