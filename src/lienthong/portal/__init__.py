"""The portal (cổng thông tin): pages in Vietnamese for people who answer for data."""
