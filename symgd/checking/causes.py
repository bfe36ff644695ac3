def explain(judge, text):
    return None
