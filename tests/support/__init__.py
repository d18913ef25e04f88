"""What the tests share: a base case that fails on leaks, the server in process, a faulty network, strategies."""
