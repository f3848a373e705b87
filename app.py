"""The door of Rushes: `python app.py --help`."""

from ui.commands import main

if __name__ == "__main__":
    main()
