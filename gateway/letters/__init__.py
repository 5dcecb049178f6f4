"""The agreement as an official Thai letter, from the same data that the machines execute: HTML and PDF."""
