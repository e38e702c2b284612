"""Files to Documents: sources, cleaning, segmentation, deduplication, splits."""
