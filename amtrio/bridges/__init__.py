"""Turn something that exists into an agent: a program, a model's endpoint, a coding agent, a web service.

Built on the client library alone. Knows nothing of the server's code.
"""
