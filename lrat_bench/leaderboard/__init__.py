"""The leaderboard: tracks that pin what is compared, submissions that prove their numbers, and the site of both."""
