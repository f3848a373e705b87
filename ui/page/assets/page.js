() => {
    let asked = null;  // the fold that a person has just opened or closed

    // Ctrl+Enter (or Command+Enter) previews, wherever the cursor is.
    document.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        document.activeElement?.blur?.();  // a number field hands its value on when it is left
        document.getElementById('preview')?.click();
    }, true);

    // What needs no server: go to the prompt, choose a file, copy a recipe, fold the models away again.
    const copied = async (button) => {
        const text = await (await fetch(button.dataset.copy)).text();
        try { await navigator.clipboard.writeText(text); } catch {  // a page shared at home has no clipboard of its own
            const area = Object.assign(document.createElement('textarea'), { value: text });
            document.body.append(area); area.select(); document.execCommand('copy'); area.remove();
        }
        const words = button.textContent;
        button.textContent = button.dataset.copied;
        setTimeout(() => { button.textContent = words; }, 1600);
    };
    document.addEventListener('click', ({ target }) => {
        const button = target.closest?.('[data-act], [data-copy]');
        if (button?.dataset.copy) copied(button);
        if (button?.dataset.act === 'say') setTimeout(() => document.querySelector('#prompt textarea')?.focus(), 100);
        if (button?.dataset.act === 'pick') document.querySelector(`[data-role=${button.dataset.id}]`)?.click();
        if (button?.dataset.act === 'choose') {
            const fold = button.closest('details');
            if (fold) { asked = fold; fold.open = false; }
        }
    });

    // On a narrow page the takes are below the form: bring them into view.
    document.addEventListener('click', ({ target }) => {
        if (!target.closest?.('#preview') || window.innerWidth > 760) return;
        setTimeout(() => document.getElementById('stage')?.scrollIntoView({ behavior: 'smooth' }), 150);
    });

    // Clips that are put into the page later do not always start by themselves; none has sound.
    const still = window.matchMedia('(prefers-reduced-motion: reduce)');
    const start = (video) => { video.muted = true; video.play().catch(() => {}); };
    document.addEventListener('loadeddata', ({ target }) => {
        if (!target.matches?.('video.loop')) return;
        if (still.matches) target.pause(); else start(target);
    }, true);
    document.addEventListener('click', ({ target }) => {
        if (target.matches?.('video.loop:not([controls])')) { if (target.paused) start(target); else target.pause(); }
    });
    document.addEventListener('visibilitychange', () => {
        if (document.hidden || still.matches) return;
        document.querySelectorAll('video.loop').forEach((video) => { if (video.paused && !video.controls) start(video); });
    });

    // In the library a clip plays while it is pointed at, focused or tapped.
    const wake = ({ target }) => { if (target.matches?.('video.hover')) start(target); };
    const rest = ({ target }) => { if (target.matches?.('video.hover')) target.pause(); };
    ['pointerenter', 'focusin', 'click'].forEach((name) => document.addEventListener(name, wake, true));
    ['pointerleave', 'focusout'].forEach((name) => document.addEventListener(name, rest, true));

    // When a panel changes, Gradio takes `open` off a fold that the person opened; only the person closes one.
    document.addEventListener('click', ({ target }) => { asked = target.closest?.('summary')?.parentElement; }, true);
    document.addEventListener('toggle', () => { asked = null; }, true);
    new MutationObserver((changes) => changes.forEach(({ target, oldValue }) => {
        if (oldValue !== null && !target.open && target !== asked) target.open = true;
    })).observe(document.body, { subtree: true, attributeFilter: ['open'], attributeOldValue: true });
}
