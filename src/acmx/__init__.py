"""acmx: administrative configuration management (ACM) server and client for 3GPP mission-critical systems."""

__version__ = "0.1.0"
