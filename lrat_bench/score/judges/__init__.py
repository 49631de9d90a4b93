"""Judges: is this answer one of the accepted ones?"""
