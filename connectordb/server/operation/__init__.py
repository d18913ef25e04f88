"""What somebody who runs a server looks at: its log, figures, health, and what a service manager is told."""
