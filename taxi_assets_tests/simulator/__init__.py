"""Tests of the local TLC."""
