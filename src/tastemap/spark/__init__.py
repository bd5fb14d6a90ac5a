"""The same job on Apache Spark, for ratings that are too many for one machine."""
