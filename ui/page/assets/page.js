() => {
    let asked = null;  // the fold that a person has just opened or closed

    // Ctrl+Enter (or Command+Enter) previews, wherever the cursor is.
    document.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        document.activeElement?.blur?.();  // a number field hands its value on when it is left
        document.getElementById('preview')?.click();
    }, true);

    // What is typed before the form that this browser kept has come is noted, and put back once it has.
    document.addEventListener('input', ({ target }) => {
        const { dataset } = document.body;
        if (!dataset.restored && target.matches?.('#prompt textarea')) dataset.typed = target.value;
    }, true);

    // Gradio opens a list of choices again when Tab leaves it, and there it stays; it need not hear of that key.
    document.addEventListener('keydown', (event) => {
        if (event.key === 'Tab' && event.target.matches?.('[role=combobox]')) event.stopPropagation();
    }, true);

    // What needs no server: go to the prompt, choose a file, copy a recipe, fold the models away again.
    const copied = async (button) => {
        const text = button.dataset.text ?? await (await fetch(button.dataset.copy)).text();
        try { await navigator.clipboard.writeText(text); } catch {  // a page shared at home has no clipboard of its own
            const area = Object.assign(document.createElement('textarea'), { value: text });
            document.body.append(area); area.select(); document.execCommand('copy'); area.remove();
        }
        const words = button.textContent;
        button.textContent = button.dataset.copied;
        setTimeout(() => { button.textContent = words; }, 1600);
    };
    document.addEventListener('click', ({ target }) => {
        const button = target.closest?.('[data-act], [data-copy], [data-text]');
        if (button?.dataset.copy || button?.dataset.text) copied(button);
        if (button?.dataset.act === 'say') setTimeout(() => document.querySelector('#prompt textarea')?.focus(), 100);
        if (button?.dataset.act === 'pick') document.querySelector(`[data-role=${button.dataset.id}]`)?.click();
        if (button?.dataset.act === 'choose') {
            const fold = button.closest('details');
            if (fold) { asked = fold; fold.open = false; }
        }
    });

    // What a click brings is seen: as soon as it is there, it comes into view. The click, the place, and the sign.
    const brings = [
        ['#preview, [data-act=render], [data-act=retry], [data-act=vary]', '#stage',
            'body:not(:has(#refusal .problem)) #strip .strip'],
        ['[data-act=install], [data-act^=ask-], [data-act=lend], :is(#offline, #lora-folders, #housing) button.lg',
            '#question', '#question :is(.ask, .problem, .said)'],
        ['[data-act=bring]', '#offline', '#offline > .open'],
    ];
    let awaited = [], since = 0;
    document.addEventListener('click', ({ target }) => {
        const asked = brings.filter(([click]) => target.closest?.(click));
        if (asked.length) { awaited = asked; since = Date.now(); }
    });
    new MutationObserver(() => {
        if (!awaited.length || Date.now() - since > 4000) return;
        awaited = awaited.filter(([, place, sign]) => {
            const part = document.querySelector(place);
            if (!part?.offsetParent || !document.querySelector(sign)) return true;
            const { top } = part.getBoundingClientRect();
            const behavior = still.matches ? 'auto' : 'smooth';
            if (top < 0 || top > window.innerHeight / 2) part.scrollIntoView({ behavior });
            return false;
        });
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: ['class'] });

    // Another screen is seen from its top.
    new MutationObserver((changes) => {
        if (changes.some(({ target }) => target.role === 'tab' && target.ariaSelected === 'true')) window.scrollTo(0, 0);
    }).observe(document.body, { subtree: true, attributeFilter: ['aria-selected'] });

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

    // A clip beside its take: opening plays both; the second does what the first does, at the same moment.
    const partner = (video) => video.closest?.('.compare')?.querySelectorAll('video')[1];
    const step = ({ target }) => {
        const other = target.controls && target.matches?.('.compare video') && partner(target);
        if (!other) return;
        if (Math.abs(other.currentTime - target.currentTime) > 0.06) other.currentTime = target.currentTime;
        if (target.paused !== other.paused) { if (target.paused) other.pause(); else start(other); }
    };
    ['play', 'pause', 'seeked', 'timeupdate'].forEach((name) => document.addEventListener(name, step, true));
    document.addEventListener('toggle', ({ target }) => {
        if (!target.matches?.('.compare')) return;
        const [first] = target.querySelectorAll('video');
        if (!target.open) first.pause(); else if (!still.matches) start(first);
    }, true);

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
