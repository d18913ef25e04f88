"""Datapoints as arrays, frames and tables."""
