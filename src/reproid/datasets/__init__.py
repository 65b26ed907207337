"""Official layouts of data sets -> one tracklet index in Parquet."""
