"""What files of weights say, and what their parts are called."""
