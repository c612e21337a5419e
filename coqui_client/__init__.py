"""The command-line client: whole files in, transcripts and subtitles out."""
