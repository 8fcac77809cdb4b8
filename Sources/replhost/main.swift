print("replhost")
