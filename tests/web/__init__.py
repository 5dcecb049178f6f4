"""The public page in a real browser: ./run test-web. Needs Debian's chromium; it is no part of ./run test."""
