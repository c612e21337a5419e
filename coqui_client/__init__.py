"""The command-line client: files, calls and microphones in, transcripts and subtitles out."""
