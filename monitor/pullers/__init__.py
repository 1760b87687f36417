"""Pulls from tools that send nothing by themselves: silences of an Alertmanager, annotations of a Grafana."""
