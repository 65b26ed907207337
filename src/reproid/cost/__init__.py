"""What a method costs: multiply-accumulates, parameters, time, memory."""
