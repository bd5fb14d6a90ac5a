"""Fit, score and recommend on Apache Spark, for tables that are too large for one machine."""
