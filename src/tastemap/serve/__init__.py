"""The application and the REST service on a saved model."""
