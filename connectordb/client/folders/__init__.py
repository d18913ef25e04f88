"""
Users, devices and streams as folders, and back: exports and imports at once, and those that go on where they were cut off.

Entered by file, as each is loaded when it is used.
"""
