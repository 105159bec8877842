"""The data protection officer's cases in the roof: taken in, worked on, told to the Controller, answered."""
