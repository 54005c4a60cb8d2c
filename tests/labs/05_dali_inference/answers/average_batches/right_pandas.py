# Two tables, grouped by the model, one subtracted from the other.
def average_batches(before, after):
    def table(reading):
        frame = pd.DataFrame(reading["model_stats"], columns=["name", "inference_count", "execution_count"])
        frame = frame.astype({"inference_count": "int64", "execution_count": "int64"})
        return frame.groupby("name").sum()

    ran = table(after).sub(table(before), fill_value=0)
    ran = ran[ran.execution_count > 0]
    return (ran.inference_count / ran.execution_count).to_dict()
