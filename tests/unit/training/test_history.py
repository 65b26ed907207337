from reproid.training.history import EpochRow, Totals, history_csv


def test_history_csv_names_terms_and_keeps_nine_digits() -> None:
    rows = [
        EpochRow(epoch=1, lr=3e-4, means={"loss": 1 / 3, "accuracy": 0.5, "cross_entropy": 0.25}),
        EpochRow(epoch=2, lr=3e-5, means={"loss": 2.0, "accuracy": 1.0, "cross_entropy": 1e-12, "budget": 7.0}),
    ]
    assert history_csv(rows) == (
        "epoch,lr,loss,accuracy,cross_entropy,budget\n1,0.0003,0.333333333,0.5,0.25,\n2,3e-05,2,1,1e-12,7\n"
    )


def test_history_csv_untrained_has_the_header_alone() -> None:
    assert history_csv([]) == "epoch,lr,loss,accuracy\n"


def test_totals_mean_over_steps() -> None:
    totals = Totals()
    for value in (1.0, 2.0, 6.0):
        totals.add({"loss": value})
    assert totals.means() == {"loss": 3.0}
