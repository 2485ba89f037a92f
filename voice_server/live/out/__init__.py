"""A show leaves the server: pushed to platforms by RTMP, and recorded."""
