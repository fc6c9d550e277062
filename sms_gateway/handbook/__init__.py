"""The handbook as it lives: approved entries over the files, questions it could not answer, drafts and who approved them."""
